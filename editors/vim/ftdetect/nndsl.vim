autocmd BufNewFile,BufRead *.nn setfiletype nndsl
