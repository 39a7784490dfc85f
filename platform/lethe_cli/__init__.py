"""The scripts' floor: what joins the engine (lethe), unlearning (trainables) and the spaces (search_spaces)."""
