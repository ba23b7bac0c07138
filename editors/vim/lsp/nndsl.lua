-- Neovim 0.11 and later read this when `vim.lsp.enable('nndsl')` is called.
return require('nndsl').config()
