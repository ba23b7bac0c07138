" What the plugins of the file type share: formatting and indenting.

let s:unit = 4

" ---------------------------------------------------------------------------------------------------- formatting

" The whole buffer through `nndsl fmt -`. Where that refuses (the text does not parse) the buffer stays as it is, and what
" is wrong stands in the location list.
function! nndsl#Format() abort
  let l:program = get(g:, 'nndsl_program', 'nndsl')
  let l:errors = tempname()
  let l:text = join(getline(1, '$'), "\n") . "\n"
  let l:new = system(l:program . ' fmt - 2>' . shellescape(l:errors), l:text)
  let l:said = filereadable(l:errors) ? readfile(l:errors) : []
  call delete(l:errors)
  if v:shell_error
    echohl ErrorMsg
    echomsg 'nndsl fmt: ' . get(l:said, 0, 'exit code ' . v:shell_error)
    echohl None
    return
  endif
  let l:lines = split(l:new, "\n", 1)
  if get(l:lines, -1, '') ==# ''
    call remove(l:lines, -1)
  endif
  if l:lines ==# getline(1, '$')
    return
  endif
  let l:view = winsaveview()
  " One change for undo: lines that are too many go last.
  call setline(1, l:lines)
  if line('$') > len(l:lines)
    silent execute 'keepjumps' (len(l:lines) + 1) . ',$delete _'
  endif
  call winrestview(l:view)
endfunction

" `gq`: the whole buffer is formatted; of a part, comments are wrapped and the rest is indented.
function! nndsl#FormatExpr() abort
  if mode() =~# '[iR]'
    return 1
  endif
  let l:first = v:lnum
  let l:last = v:lnum + v:count - 1
  if l:first == 1 && l:last == line('$')
    call nndsl#Format()
    return 0
  endif
  if empty(filter(getline(l:first, l:last), 'v:val !~# ''^\s*\%(#\|$\)'''))
    return 1
  endif
  execute 'normal!' l:first . 'GV' . l:last . 'G='
  return 0
endfunction

" ------------------------------------------------------------------------------------------------------ indenting

function! nndsl#Indent(lnum) abort
  let l:text = getline(a:lnum)
  let [l:open, l:column] = s:Bracket(a:lnum, 1)
  let l:kind = l:open ? getline(l:open)[l:column - 1] : ''
  if l:text =~# '^\s*[])}]'
    return l:open ? indent(s:Start(l:open, l:kind)) : 0
  endif
  if l:kind ==# '(' || l:kind ==# '['
    " Behind the bracket's text, or one step further where the bracket ends its line.
    let l:rest = s:Code(l:open)[l:column :]
    let l:is_last = l:rest =~# '^\s*$'
    if l:text =~# '^\s*->'
      return indent(l:open) + s:unit * (1 + l:is_last)
    endif
    return l:is_last ? indent(l:open) + s:unit : virtcol([l:open, l:column + len(matchstr(l:rest, '^\s*'))])
  endif
  let l:base = l:open ? indent(s:Start(l:open, l:kind)) + s:unit : 0
  let l:at = a:lnum
  if l:text =~# '^\s*#'
    " A comment stands with the line that it is about.
    while l:at < line('$') && getline(l:at) =~# '^\s*\%(#\|$\)'
      let l:at += 1
    endwhile
  endif
  if getline(l:at) =~# '^\s*\%(->\|with\>\)'
    return l:base + s:unit
  endif
  let l:before = prevnonblank(a:lnum - 1)
  while l:before && getline(l:before) =~# '^\s*#'
    let l:before = prevnonblank(l:before - 1)
  endwhile
  if l:before <= l:open
    return l:base
  endif
  let l:code = s:Code(l:before)
  if l:code =~# ',\s*$'
    " Options go on below the first one, or a step further than a `with` that begins its line.
    if l:code =~# '^\s*with\>'
      return indent(l:before) + s:unit
    endif
    let l:with = matchend(l:code, '.*\<with\s\+')
    return l:with > 0 ? virtcol([l:before, l:with]) : indent(l:before)
  endif
  if l:code =~# '\%(=\|->\|[-+*/%@<>:]\|\.\.\|\<\%(and\|or\|not\|if\|else\|in\)\)\s*$'
    return l:base + s:unit
  endif
  return l:base
endfunction

" Where the innermost bracket opens that is open at a place: [line, column], [0, 0] where there is none.
function! s:Bracket(lnum, column) abort
  let l:view = winsaveview()
  call cursor(a:lnum, a:column)
  let l:found = searchpairpos('[[({]', '', '[])}]', 'bnW', 'nndsl#IsText()')
  call winrestview(l:view)
  return l:found
endfunction

" Whether the cursor stands in a string or a comment: told from the line alone.
function! nndsl#IsText() abort
  let l:line = getline('.')
  return l:line =~# '["''#]' && s:Code(line('.'))[col('.') - 1] !=# l:line[col('.') - 1]
endfunction

" A line with its strings as blanks and without its comment.
function! s:Code(lnum) abort
  let l:line = getline(a:lnum)
  if l:line !~# '["''#]'
    return l:line
  endif
  let l:string = '"\%([^"\\]\|\\.\)*"\?\|''\%([^''\\]\|\\.\)*''\?'
  let l:line = substitute(l:line, l:string . '\|#.*', '\=submatch(0)[0] ==# "#" ? "" : repeat("_", len(submatch(0)))', 'g')
  return l:line
endfunction

" The line that a `{` belongs to: where the brackets before it were opened, if they run over several lines.
function! s:Start(lnum, kind) abort
  let l:lnum = a:lnum
  while a:kind ==# '{'
    let [l:open, l:column] = s:Bracket(l:lnum, 1)
    if !l:open || getline(l:open)[l:column - 1] ==# '{'
      break
    endif
    let l:lnum = l:open
  endwhile
  return l:lnum
endfunction
