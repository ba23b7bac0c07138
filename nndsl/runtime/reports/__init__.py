"""What stands in a run folder after training: history, metrics, pictures, the page; and reading it again."""
