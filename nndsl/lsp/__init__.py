"""The language server (`nndsl lsp`): what `ide` knows, in the Language Server Protocol."""
