"""What `nndsl doctor` finds out: `examine.examine` gives it as plain data. Nothing here loads a framework into this
process; `trials` starts the processes that do."""
