"""What a browser does between the press and the release of a mouse button on a chart: it keeps the point under it."""

# Plotly looks for the point under the pointer at most every 50 ms. Where a button goes down right after a movement, the
# look that it put off comes while the button is down, finds a drag, and forgets the point: the release then selects
# nothing, and a reader who clicks in passing sees nothing happen. `plotly_beforehover` calls such looks off.
SCRIPT = """<script>
if (!window.keepsThePressedPoint) {
  window.keepsThePressedPoint = true;
  document.addEventListener("mousedown", ({target}) => {
    const plot = target.closest(".js-plotly-plot");
    if (!plot || !plot.removeListener) return;
    const no = () => false;
    plot.on("plotly_beforehover", no);
    const released = () => plot.removeListener("plotly_beforehover", no);
    document.addEventListener("mouseup", released, {capture: true, once: true});
  }, {capture: true});
}
</script>"""
