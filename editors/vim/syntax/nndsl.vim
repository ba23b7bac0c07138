" Vim syntax file
" Language: nndsl (.nn)
" Every rule looks at one line, so that broken text never colors what follows it. What a name means in the program is the
" language server's to say; here it is told from what stands beside it.

if exists('b:current_syntax')
  finish
endif

let s:save = &cpoptions
set cpoptions&vim
syntax case match

" ----------------------------------------------------------------------------------- what is not in the language
" First, for later rules win over them. Signs that begin like an operator stand below the operators.

syntax match nndslError /[$`~\\!&|^]/
syntax match nndslError /[^\x00-\x7F]/
syntax match nndslError /\%(\<\|\.\)\d[0-9A-Za-z_]*/

" ------------------------------------------------------------------------------------------------------- names

" `name = …` defines a value, `name=…` is an argument; the formatter puts the blanks so. Behind `(`, `,` and `with` it is an
" argument, however it is spaced.
syntax match nndslDefined /\<\h\w*\>\ze\s\+=\%(=\)\@!/
syntax match nndslArgument /\<\h\w*\>\ze=\%(=\)\@!/
syntax match nndslArgument /\%([(,]\s*\|\<with\s\+\)\@60<=\<\h\w*\>\ze\s*=\%(=\)\@!/
syntax match nndslCall /\<\h\w*\>\ze\s*(/
syntax match nndslAttribute /\.\@1<=\h\w*\>/
syntax match nndslType /\%(:\s*\)\@30<=\<\h\w*\>\ze\s*\[/

" ---------------------------------------------------------------------------------------------- reserved words
" Before `=` they are names of arguments (`data=`), which is why they are no keywords of Vim's.

let s:words = {
      \ 'nndslStructure': 'model block layer param',
      \ 'nndslStatement': 'input output shared submodel penalty trainable state update source',
      \ 'nndslSection': 'train data options',
      \ 'nndslInclude': 'from import',
      \ 'nndslWith': 'with',
      \ 'nndslConditional': 'if else branch',
      \ 'nndslRepeat': 'repeat in',
      \ 'nndslWordOperator': 'and or not',
      \ }
for [s:group, s:list] in items(s:words)
  execute printf('syntax match %s /\.\@1<!\<\%%(%s\)\>\%%(\s*=\%%(=\)\@!\)\@!/', s:group, join(split(s:list), '\|'))
endfor
syntax match nndslConstant /\.\@1<!\<\%(true\|false\|none\|True\|False\|None\)\>\%(\s*=\%(=\)\@!\)\@!/

" Behind the word that declares it.
syntax match nndslModel /\%(\<model\s\+\)\@30<=\<\h\w*\>/
syntax match nndslDefined /\%(\<\%(param\|input\|output\|shared\|penalty\|trainable\|state\|update\|source\)\s\+\)\@30<=\<\h\w*\>/

" ----------------------------------------------------------------------------------------------------- literals

syntax match nndslNumber /\%(\w\|\.\)\@1<!\d\+\%(_\d\+\)*\>/
syntax match nndslFloat /\%(\w\|\.\)\@1<!\d\+\%(_\d\+\)*[eE][-+]\?\d\+\>/
syntax match nndslFloat /\w\@1<!\%(\d\+\%(_\d\+\)*\)\?\.\d\+\%(_\d\+\)*\%([eE][-+]\?\d\+\)\?\>/
syntax match nndslFloat /\%(\w\|\.\)\@1<!\d\+\%(_\d\+\)*\.\%([.A-Za-z0-9_]\)\@!/
" The end of a range, 0..4
syntax match nndslNumber /\%(\.\.\)\@2<=\d\+\%(_\d\+\)*\>/

syntax match nndslDelimiter /[][(){},:;]/
syntax match nndslOperator /->\|\*\*\|\/\/\|[-+*\/%@?]\|[=!<>]=\|[<>]\|=/
syntax match nndslOperator /\.\./
syntax match nndslError /-->\|=>\||>\|:=\|<>\|&&\|||\|\~>/

" A string ends with its line at the latest.
syntax match nndslEscape /\\\%(u\x\{4}\|.\)/ contained
syntax region nndslString start=/"/ skip=/\\./ end=/"/ end=/$/ keepend oneline contains=nndslEscape
syntax region nndslString start=/'/ skip=/\\./ end=/'/ end=/$/ keepend oneline contains=nndslEscape

syntax keyword nndslTodo TODO FIXME XXX NOTE contained
syntax match nndslComment /#.*$/ contains=nndslTodo,@Spell

syntax region nndslBody matchgroup=nndslDelimiter start=/{/ end=/}/ transparent fold contains=TOP

syntax sync minlines=100

highlight default link nndslError Error
highlight default link nndslStructure Structure
highlight default link nndslStatement Statement
highlight default link nndslSection Statement
highlight default link nndslInclude Include
highlight default link nndslWith Keyword
highlight default link nndslConditional Conditional
highlight default link nndslRepeat Repeat
highlight default link nndslWordOperator Operator
highlight default link nndslConstant Constant
highlight default link nndslModel Type
highlight default link nndslDefined Identifier
highlight default link nndslArgument Label
highlight default link nndslCall Function
highlight default link nndslAttribute Special
highlight default link nndslType Type
highlight default link nndslNumber Number
highlight default link nndslFloat Float
highlight default link nndslOperator Operator
highlight default link nndslDelimiter Delimiter
highlight default link nndslString String
highlight default link nndslEscape SpecialChar
highlight default link nndslComment Comment
highlight default link nndslTodo Todo

let b:current_syntax = 'nndsl'
unlet s:words s:group s:list
let &cpoptions = s:save
unlet s:save
