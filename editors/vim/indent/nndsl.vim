" Vim indent file
" Language: nndsl (.nn)
" As `nndsl fmt` indents: what is on the line as it is stays, in its place.

if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal nolisp autoindent
setlocal indentexpr=nndsl#Indent(v:lnum)
setlocal indentkeys=0},0),0],0#,0=->,0=with,!^F,o,O

let b:undo_indent = 'setlocal lisp< autoindent< indentexpr< indentkeys<'
