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
  let [l:kind, l:open, l:column, l:base] = s:Around(a:lnum)
  if l:text =~# '^\s*[])}]'
    return l:open ? indent(s:Start(l:open, l:kind)) : max([l:base - s:unit, 0])
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
  if l:open
    let l:base = indent(s:Start(l:open, l:kind)) + s:unit
  endif
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
  let l:before = s:Before(a:lnum)
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

" The last line above that is neither empty nor a comment, 0 where there is none.
function! s:Before(lnum) abort
  let l:lnum = prevnonblank(a:lnum - 1)
  while l:lnum && getline(l:lnum) =~# '^\s*#'
    let l:lnum = prevnonblank(l:lnum - 1)
  endwhile
  return l:lnum
endfunction

" What is around the start of a line, as [bracket, its line, its column, indent of the statements in it]: the innermost
" open bracket and where it stands; or, as soon as a line above is seen to begin a statement beside this line, the indent
" of that one, so that a long body is not gone through again for each of its lines.
function! s:Around(lnum) abort
  let l:surplus = 0
  let l:lnum = s:Before(a:lnum)
  while l:lnum
    let l:code = s:Code(l:lnum)
    let l:left = s:Unpaired(l:code)
    let l:closed = 0
    for l:bracket in reverse(split(l:left, '\zs'))
      if l:bracket =~# '[])}]'
        let l:surplus += 1
      elseif l:surplus
        let l:surplus -= 1
        let l:closed += 1
      else
        return [l:bracket, l:lnum, s:Column(l:code, l:closed), 0]
      endif
    endfor
    let l:above = s:Before(l:lnum)
    if l:code =~# '^}' && l:left ==# '}'
      return ['', 0, 0, 0]
    endif
    if !l:surplus && s:Begins(l:code) && s:Code(l:above) !~# '[,([]\s*$'
      return ['', 0, 0, indent(l:lnum)]
    endif
    let l:lnum = l:above
  endwhile
  return ['', 0, 0, 0]
endfunction

" Whether a line looks like the start of a statement, where it stands behind no open bracket and no comma.
function! s:Begins(code) abort
  return a:code =~# '^\s*\%(\h\w*\|([^()]*)\)\s*=\%(=\)\@!'
        \ || a:code =~# '^\s*\%(model\|block\|layer\|param\|input\|output\|shared\|submodel\|penalty\|trainable\|state\|update\|source\)\s\+\h'
endfunction

" The brackets of a line that have no partner in it.
function! s:Unpaired(code) abort
  let l:left = substitute(a:code, '[^][(){}]', '', 'g')
  let l:before = ''
  while l:left !=# l:before
    let l:before = l:left
    let l:left = substitute(l:left, '()\|\[\]\|{}', '', 'g')
  endwhile
  return l:left
endfunction

" The column of the last bracket of a line that stays open, where lines below close the last `closed` of those that the
" line itself leaves open.
function! s:Column(code, closed) abort
  let l:closed = a:closed
  for l:at in range(len(a:code) - 1, 0, -1)
    if a:code[l:at] =~# '[])}]'
      let l:closed += 1
    elseif a:code[l:at] =~# '[[({]'
      if !l:closed
        return l:at + 1
      endif
      let l:closed -= 1
    endif
  endfor
  return 0
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
    let [l:around, l:open, l:column, l:base] = s:Around(l:lnum)
    if l:around !=# '(' && l:around !=# '['
      break
    endif
    let l:lnum = l:open
  endwhile
  return l:lnum
endfunction
