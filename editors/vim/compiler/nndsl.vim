" Vim compiler file
" Compiler: nndsl check

if exists('current_compiler')
  finish
endif
let current_compiler = 'nndsl'

if exists(':CompilerSet') != 2
  command -nargs=* CompilerSet setlocal <args>
endif

" :make checks the file of the buffer; what stands behind :make goes to nndsl (:make --set classes=5).
execute 'CompilerSet makeprg=' . escape(get(g:, 'nndsl_program', 'nndsl'), ' \|"') . '\ check\ --format\ concise\ $*\ %:S'
" Columns count characters, as %v does.
CompilerSet errorformat=%E%f:%l:%v:\ error%m,%W%f:%l:%v:\ warning%m,%-G%.%#
