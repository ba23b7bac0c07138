[(body) (arms) (arguments) (list) (tuple) (parenthesized) (parameters) (targets)] @indent
["}" ")" "]"] @outdent
