// The grammar of .nn for tree-sitter: what highlights, folds and indents in Helix, Zed, Neovim and Emacs.
// grammar/nn.lark is the grammar of the language; tests/editors/test_tree_sitter.py holds this one to it.
//
// Where a statement ends is decided in src/scanner.c, as nndsl/syntax/layout.py does: at a line break, unless the next
// line starts with `->` or `with`. After `,`, `=`, `->` and operators, and inside ( ) and [ ], no statement can end, so the
// break is a blank there.

/// <reference types="tree-sitter-cli/dsl" />

const PREC = { conditional: 1, or: 2, and: 3, not: 4, compare: 5, range: 6, sum: 7, product: 8, sign: 9, power: 10, postfix: 11 };

const list = (item) => seq(item, repeat(seq(',', item)), optional(','));

module.exports = grammar({
  name: 'nndsl',

  externals: ($) => [$._end, $.integer, $.float, $._error_sentinel],
  extras: ($) => [/[ \t\r\n]/, $.comment],
  word: ($) => $.identifier,
  supertypes: ($) => [$._statement, $._expression],
  inline: ($) => [$._chosen],

  rules: {
    file: ($) => repeat(choice(seq($._statement, $._end), ';')),

    body: ($) => seq('{', repeat(choice(seq($._statement, $._end), ';')), '}'),

    _statement: ($) =>
      choice(
        $.model, $.block, $.layer, $.section, $.param, $.import,
        $.input, $.assignment, $.output, $.shared, $.submodel, $.penalty,
        $.source, $.weight, $.update,
      ),

    // ------------------------------------------------------------------------------------ definitions

    model: ($) => seq('model', field('name', $.identifier), field('body', $.body)),
    block: ($) => seq('block', field('name', $.identifier), field('parameters', $.parameters), field('body', $.body)),
    layer: ($) => seq('layer', field('name', $.identifier), field('parameters', $.parameters), field('body', $.body)),
    parameters: ($) => seq('(', optional(list($.parameter)), ')'),
    parameter: ($) => seq(field('name', $.identifier), optional(seq('=', field('default', $._expression)))),
    section: ($) => seq(field('kind', choice('train', 'data', 'options')), field('body', $.body)),
    param: ($) => seq('param', field('name', $.identifier), '=', field('value', $._expression), optional($.with)),
    import: ($) => seq('from', field('path', $.string), 'import', field('name', $.identifier), repeat(seq(',', field('name', $.identifier)))),

    // ------------------------------------------------------------------------------------- statements

    input: ($) => seq('input', field('name', $.identifier), optional(seq(':', field('type', $.type))), optional($.with)),
    assignment: ($) => seq(field('left', choice($.identifier, $.targets)), '=', field('value', $._flow)),
    output: ($) => seq('output', field('name', $.identifier), optional(seq('=', field('value', $._flow))), optional($.with)),
    shared: ($) => seq('shared', field('name', $.identifier), '=', field('value', $._flow)),
    submodel: ($) =>
      seq('submodel', field('name', $.identifier), field('inputs', $.targets), '=', field('outputs', choice($.identifier, $.targets))),
    penalty: ($) => seq('penalty', field('name', $.identifier), '=', field('value', $._flow), optional($.with)),
    source: ($) => seq('source', field('name', $.identifier), '=', field('value', $._flow), optional($.with)),
    weight: ($) =>
      seq(
        field('kind', choice('trainable', 'state')), field('name', $.identifier), ':', field('type', choice($.type, $.shape)),
        optional(seq('=', field('initializer', $._expression))), optional($.with),
      ),
    update: ($) => seq('update', field('name', $.identifier), '=', field('value', $._flow), optional($.with)),

    targets: ($) => seq('(', list($.identifier), ')'),
    type: ($) => seq(field('dtype', $.identifier), $.shape),
    shape: ($) => seq('[', optional(list(choice($._expression, $.unknown))), ']'),
    unknown: (_) => '?',
    with: ($) => seq('with', $.option, repeat(seq(',', $.option))),
    option: ($) => seq(field('name', $.identifier), '=', field('value', $._expression)),

    // ------------------------------------------------------------------------------------ expressions

    _flow: ($) => choice($._expression, $.pipeline),
    pipeline: ($) => seq($._expression, repeat1(seq('->', $._expression))),

    _expression: ($) => choice($._chosen, $.conditional),
    conditional: ($) =>
      prec.right(PREC.conditional, seq(
        field('then', $._chosen), 'if', field('condition', $._operand), 'else', field('else', $._expression),
      )),
    _chosen: ($) => choice($._operand, $.branch, $.repeat),
    branch: ($) => seq('branch', field('body', $.arms)),
    repeat: ($) => seq('repeat', field('count', $._expression), optional(seq('in', field('values', $._expression))), field('body', $.arms)),
    arms: ($) => seq('{', repeat(choice(seq($._flow, $._end), ';')), '}'),

    _operand: ($) => choice($.binary, $.unary, $.range, $._postfix),
    binary: ($) =>
      choice(
        prec.left(PREC.or, seq($._operand, field('operator', 'or'), $._operand)),
        prec.left(PREC.and, seq($._operand, field('operator', 'and'), $._operand)),
        prec.left(PREC.compare, seq($._operand, field('operator', choice('==', '!=', '<=', '>=', '<', '>')), $._operand)),
        prec.left(PREC.sum, seq($._operand, field('operator', choice('+', '-')), $._operand)),
        prec.left(PREC.product, seq($._operand, field('operator', choice('*', '/', '//', '%', '@')), $._operand)),
        prec.right(PREC.power, seq($._operand, field('operator', '**'), $._operand)),
      ),
    unary: ($) =>
      choice(
        prec(PREC.not, seq(field('operator', 'not'), $._operand)),
        prec(PREC.sign, seq(field('operator', choice('+', '-')), $._operand)),
      ),
    range: ($) => prec.left(PREC.range, seq(field('first', $._operand), '..', field('end', $._operand))),

    _postfix: ($) =>
      choice($.identifier, $.integer, $.float, $.string, $.call, $.attribute, $.subscripted, $.parenthesized, $.tuple, $.list),
    attribute: ($) => prec.left(PREC.postfix, seq(field('of', $._postfix), '.', field('name', $.identifier))),
    subscripted: ($) => prec.left(PREC.postfix, seq(field('of', $._postfix), '[', list($._subscript), ']')),
    _subscript: ($) => choice($._expression, $.rest, $.slice),
    rest: (_) => '..',
    slice: ($) => seq(optional($._expression), ':', optional($._expression), optional(seq(':', optional($._expression)))),

    call: ($) => seq(field('name', $.identifier), field('arguments', $.arguments)),
    arguments: ($) => seq('(', optional(list(choice($._expression, $.argument))), ')'),
    // A reserved word is good as the name of an argument. Where it can't be one, tree-sitter takes it for an identifier.
    argument: ($) =>
      seq(field('name', choice($.identifier, alias(choice('branch', 'repeat', 'not'), $.identifier))), '=', field('value', $._expression)),

    parenthesized: ($) => seq('(', $._flow, ')'),
    tuple: ($) => seq('(', optional(seq($._flow, ',', optional(list($._flow)))), ')'),
    list: ($) => seq('[', optional(list($._expression)), ']'),

    // -------------------------------------------------------------------------------------- terminals

    identifier: (_) => /[A-Za-z_][A-Za-z0-9_]*/,
    string: ($) =>
      choice(
        seq('"', repeat(choice(token.immediate(prec(1, /[^"\\\n]+/)), $.escape)), '"'),
        seq("'", repeat(choice(token.immediate(prec(1, /[^'\\\n]+/)), $.escape)), "'"),
      ),
    escape: (_) => token.immediate(/\\([^\n])/),
    comment: (_) => token(/#[^\n]*/),
  },
});
