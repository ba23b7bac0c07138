(model "model" @context name: (identifier) @name) @item
(block "block" @context name: (identifier) @name) @item
(layer "layer" @context name: (identifier) @name) @item
(section kind: _ @name) @item
(param "param" @context name: (identifier) @name) @item
(input "input" @context name: (identifier) @name) @item
(output "output" @context name: (identifier) @name) @item
(shared "shared" @context name: (identifier) @name) @item
(submodel "submodel" @context name: (identifier) @name) @item
(assignment left: (identifier) @name) @item
