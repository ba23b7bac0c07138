; As Neovim's nvim-treesitter reads them; Helix and Zed have queries of their own beside their configurations.
[(body) (arms) (arguments) (list) (tuple) (parenthesized) (parameters) (targets)] @indent.begin
(pipeline) @indent.begin
["}" ")" "]"] @indent.branch @indent.end
(comment) @indent.auto
