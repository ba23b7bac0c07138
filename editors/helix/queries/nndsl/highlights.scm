; No node is captured by two patterns that disagree: editors differ in which of them wins.

(comment) @comment.line

(string) @string
(escape) @constant.character.escape
[(integer) (float)] @constant.numeric
((identifier) @constant.builtin
  (#match? @constant.builtin "^(true|false|none|True|False|None)$"))

["model" "block" "layer" "param" "input" "shared" "output" "penalty" "trainable" "state" "update" "submodel" "source"
 "train" "data" "options" "with"] @keyword
["from" "import"] @keyword.control.import
["if" "else" "branch"] @keyword.control.conditional
["repeat" "in"] @keyword.control.repeat
["and" "or" "not"] @keyword.operator

["->" "=" "==" "!=" "<=" ">=" "<" ">" "+" "-" "*" "/" "//" "%" "@" "**" ".."] @operator
(unknown) @operator
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ":" ";" "."] @punctuation.delimiter

(model name: (identifier) @type)
(block name: (identifier) @function)
(layer name: (identifier) @function)
(import name: (identifier) @function)
(call name: (identifier) @function)
(parameter name: (identifier) @variable.parameter)
(argument name: (identifier) @variable.other.member)
(option name: (identifier) @variable.other.member)
(attribute name: (identifier) @variable.other.member)
(type dtype: (identifier) @type.builtin)

(param name: (identifier) @variable)
(input name: (identifier) @variable)
(assignment left: (identifier) @variable)
(output name: (identifier) @variable)
(shared name: (identifier) @variable)
(submodel name: (identifier) @function)
(penalty name: (identifier) @variable)
(source name: (identifier) @variable)
(weight name: (identifier) @variable)
(update name: (identifier) @variable)
(targets (identifier) @variable)
