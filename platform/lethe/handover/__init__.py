"""Handing over: which studies and candidates there are, a candidate's folder and its manifest, and a study's end."""
