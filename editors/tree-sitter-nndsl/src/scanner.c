// What a regular expression cannot tell: where a statement ends, and whether `0.` begins a float or the range `0..4`.

#include "tree_sitter/parser.h"

enum Kind { END, INTEGER, FLOAT, ERROR_SENTINEL };

void *tree_sitter_nndsl_external_scanner_create(void) { return NULL; }
void tree_sitter_nndsl_external_scanner_destroy(void *payload) { (void)payload; }
unsigned tree_sitter_nndsl_external_scanner_serialize(void *payload, char *buffer) {
  (void)payload;
  (void)buffer;
  return 0;
}
void tree_sitter_nndsl_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  (void)payload;
  (void)buffer;
  (void)length;
}

static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }

static bool is_word(int32_t c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c > 127;
}

static void advance(TSLexer *lexer) { lexer->advance(lexer, false); }

// After a line break: past empty lines and comments, to what decides. Nothing of it becomes part of the token.
static bool next_line_goes_on(TSLexer *lexer) {
  for (;;) {
    int32_t c = lexer->lookahead;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      advance(lexer);
    } else if (c == '#') {
      while (lexer->lookahead != '\n' && !lexer->eof(lexer)) advance(lexer);
    } else {
      break;
    }
  }
  if (lexer->lookahead == '-') {
    advance(lexer);
    return lexer->lookahead == '>';
  }
  for (const char *letter = "with"; *letter; letter++) {
    if (lexer->lookahead != *letter) return false;
    advance(lexer);
  }
  return !is_word(lexer->lookahead);
}

// 10_000: underscores stand between digits.
static void digits(TSLexer *lexer) {
  while (is_digit(lexer->lookahead)) {
    advance(lexer);
    lexer->mark_end(lexer);
    if (lexer->lookahead == '_') advance(lexer);
  }
}

static bool number(TSLexer *lexer, const bool *valid) {
  enum Kind kind = INTEGER;
  bool whole = is_digit(lexer->lookahead);
  digits(lexer);
  if (lexer->lookahead == '.') {
    advance(lexer);
    if (is_digit(lexer->lookahead)) {
      kind = FLOAT;
      digits(lexer);
    } else if (whole && lexer->lookahead != '.' && !is_word(lexer->lookahead)) {
      kind = FLOAT;
      lexer->mark_end(lexer);
    } else if (!whole) {
      return false;
    } else {
      lexer->result_symbol = INTEGER;
      return valid[INTEGER];
    }
  }
  if (lexer->lookahead == 'e' || lexer->lookahead == 'E') {
    advance(lexer);
    if (lexer->lookahead == '+' || lexer->lookahead == '-') advance(lexer);
    if (is_digit(lexer->lookahead)) {
      kind = FLOAT;
      digits(lexer);
    }
  }
  lexer->result_symbol = kind;
  return valid[kind];
}

bool tree_sitter_nndsl_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  (void)payload;
  bool recovering = valid[ERROR_SENTINEL];
  for (;;) {
    int32_t c = lexer->lookahead;
    if (c == '\n' && valid[END]) {
      advance(lexer);
      lexer->mark_end(lexer);
      lexer->result_symbol = END;
      return !next_line_goes_on(lexer);
    }
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') break;
    lexer->advance(lexer, true);
  }
  if (valid[END]) {
    lexer->result_symbol = END;
    if (lexer->lookahead == ';') {
      advance(lexer);
      lexer->mark_end(lexer);
      return true;
    }
    // While an error is being recovered from, a token without text would be given again and again.
    if ((lexer->lookahead == '}' || lexer->eof(lexer)) && !recovering) {
      lexer->mark_end(lexer);
      return true;
    }
  }
  if ((valid[INTEGER] || valid[FLOAT]) && (is_digit(lexer->lookahead) || lexer->lookahead == '.')) {
    return number(lexer, valid);
  }
  return false;
}
