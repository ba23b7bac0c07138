" Vim filetype plugin
" Language: nndsl (.nn)

if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

let s:save = &cpoptions
set cpoptions&vim

setlocal comments=:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal matchpairs=(:),{:},[:]
setlocal formatexpr=nndsl#FormatExpr()

" `gf` on "blocks/resnet.nn": the path is relative to the file.
setlocal suffixesadd=.nn path=.,,
setlocal include=^\\s*from
setlocal define=^\\s*\\%(model\\\|block\\\|layer\\\|param\\\|input\\\|output\\\|shared\\\|submodel\\\|trainable\\\|state\\\|source\\)\\>

if get(g:, 'nndsl_recommended_style', 1)
  setlocal expandtab shiftwidth=4 softtabstop=4 tabstop=4
endif

compiler nndsl

command! -buffer -bar NndslFormat call nndsl#Format()

let b:undo_ftplugin = 'setlocal comments< commentstring< formatoptions< matchpairs< formatexpr< suffixesadd< path<'
      \ . ' include< define< expandtab< shiftwidth< softtabstop< tabstop< makeprg< errorformat<'
      \ . ' | silent! delcommand -buffer NndslFormat'

let &cpoptions = s:save
unlet s:save
