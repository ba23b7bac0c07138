(file) @local.scope
(model) @local.scope
(block) @local.scope
(layer) @local.scope

(param name: (identifier) @local.definition)
(parameter name: (identifier) @local.definition)
(input name: (identifier) @local.definition)
(assignment left: (identifier) @local.definition)
(targets (identifier) @local.definition)
(output name: (identifier) @local.definition)
(shared name: (identifier) @local.definition)
(source name: (identifier) @local.definition)
(weight name: (identifier) @local.definition)
(repeat count: (identifier) @local.definition)

(identifier) @local.reference
