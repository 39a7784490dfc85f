"""A search: the ledger of what is asked, scored and told, and the run of it on Ray Tune."""
