"""The space and the switches of the toy method."""

SPACE = {"share": ("log_uniform", 0.001, 0.5)}
SPACE_7B = SPACE
SWITCHES = {"shrinking": {"little": {}, "much": {"share": 0.2}}}
MEANINGS = {"shrinking=much": "a fifth of each weight goes at every step"}
