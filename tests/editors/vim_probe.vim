" What Vim makes of files, as JSON for test_vim.py: run as `vim -es -N -u vim_probe.vim`, with the work in $NNDSL_PROBE.

set nocompatible nomore nobackup noswapfile hidden encoding=utf-8
let &runtimepath = $NNDSL_PLUGIN . ',' . $VIMRUNTIME
filetype plugin indent on
syntax on

" A file's lines as runs [group, text].
function Groups() abort
  let l:lines = []
  for l:lnum in range(1, line('$'))
    let l:runs = []
    let l:text = getline(l:lnum)
    let l:column = 1
    for l:char in split(l:text, '\zs')
      let l:group = synIDattr(synID(l:lnum, l:column, 1), 'name')
      if !empty(l:runs) && l:runs[-1][0] ==# l:group && (l:char =~# '\s') == (l:runs[-1][1] =~# '\s')
        let l:runs[-1][1] .= l:char
      else
        call add(l:runs, [l:group, l:char])
      endif
      let l:column += len(l:char)
    endfor
    call add(l:lines, l:runs)
  endfor
  return l:lines
endfunction

function Indented() abort
  let l:as_it_is = getline(1, '$')
  silent normal! gg=G
  let l:again = getline(1, '$')
  silent %substitute/^\s\+//e
  silent normal! gg=G
  let l:anew = getline(1, '$')
  silent undo 0
  return [l:as_it_is, l:again, l:anew]
endfunction

let s:work = json_decode(join(readfile($NNDSL_PROBE), "\n"))
let s:found = {}
try
  for s:path in s:work.files
    execute 'edit' fnameescape(s:path)
    let s:found[s:path] = {'groups': get(s:work, 'groups', 0) ? Groups() : [], 'filetype': &filetype}
    if get(s:work, 'indent', 0)
      let s:found[s:path].indent = Indented()
    endif
  endfor
  let s:found.answers = []
  for s:ask in get(s:work, 'ask', [])
    call add(s:found.answers, eval(s:ask))
  endfor
catch
  let s:found = {'failed': v:exception . ' at ' . v:throwpoint}
endtry
call writefile([json_encode(s:found)], $NNDSL_PROBE . '.out')
qall!
