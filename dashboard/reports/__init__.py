"""What is taken away: reports of a decision and of an ablation, and their words. No streamlit."""
