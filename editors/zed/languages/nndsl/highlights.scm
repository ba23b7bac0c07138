; No node is captured by two patterns that disagree: editors differ in which of them wins.

(comment) @comment

(string) @string
(escape) @string.escape
[(integer) (float)] @number
((identifier) @constant
  (#match? @constant "^(true|false|none|True|False|None)$"))

["model" "block" "layer" "param" "input" "shared" "output" "penalty" "trainable" "state" "update" "submodel" "source"
 "train" "data" "options" "with"] @keyword
["from" "import"] @keyword
["if" "else" "branch"] @keyword
["repeat" "in"] @keyword
["and" "or" "not"] @keyword

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
(argument name: (identifier) @property)
(option name: (identifier) @property)
(attribute name: (identifier) @property)
(type dtype: (identifier) @type)

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
