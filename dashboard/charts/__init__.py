"""What is drawn: pure functions of tables that return plotly figures. No streamlit."""
