(model body: (_) @class.inside) @class.around
(block body: (_) @function.inside) @function.around
(layer body: (_) @function.inside) @function.around
(argument) @parameter.inside
(parameter) @parameter.inside
(comment) @comment.inside
(comment)+ @comment.around
