-- What Neovim and the real server do with a file, as JSON for test_neovim.py. Arguments from the environment.

local work = vim.fn.json_decode(vim.fn.readfile(vim.env.NNDSL_PROBE))
vim.opt.runtimepath:prepend(work.plugin)
vim.opt.swapfile = false
vim.cmd('filetype plugin indent on')
vim.cmd('syntax on')

local found = {}

local function wait(what, ready)
  if not vim.wait(20000, ready, 20) then
    error('waited in vain for ' .. what)
  end
end

local function lines(buffer)
  return vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, false)
end

local function cursor_on(text, line)
  local column = vim.fn.getline(line):find(text, 1, true)
  vim.api.nvim_win_set_cursor(0, { line, column - 1 })
end

local function sync(method, params)
  local answers = vim.lsp.buf_request_sync(0, method, params, 20000)
  for _, answer in pairs(answers or {}) do
    return answer.result
  end
end

local function main()
  local nndsl = require('nndsl')
  nndsl.setup({ cmd = work.cmd })
  vim.cmd('edit ' .. vim.fn.fnameescape(work.file))
  local buffer = vim.api.nvim_get_current_buf()
  wait('the server', function()
    return #vim.diagnostic.get(buffer) > 0 and vim.fn.exists(':NndslCode') == 2
  end)

  for _, item in ipairs(vim.diagnostic.get(buffer)) do

    found.diagnostics = found.diagnostics or {}
    table.insert(found.diagnostics, { item.lnum, item.col, item.end_col, item.severity, item.message, item.source, item.code or item.user_data.lsp.code })
  end
  local client = vim.lsp.get_active_clients()[1]
  found.client = client.name
  found.root = client.config.root_dir
  found.has_hints = vim.fn.has('nvim-0.10') == 1
  found.shows_hints = found.has_hints and vim.lsp.inlay_hint.is_enabled({ bufnr = buffer })

  -- The mistake is mended: nothing is left to say.
  vim.api.nvim_buf_set_lines(buffer, 3, 4, false, { (vim.fn.getline(4):gsub('Dens%(', 'Dense(')) })
  wait('no problems', function()
    return #vim.diagnostic.get(buffer) == 0
  end)

  cursor_on('Dense', 4)
  local hover = sync('textDocument/hover', vim.lsp.util.make_position_params())
  found.hover = hover.contents.value

  local params = vim.lsp.util.make_position_params()
  params.range = { start = { line = 0, character = 0 }, ['end'] = { line = 10, character = 0 } }
  found.hints = vim.tbl_map(function(hint)
    return hint.label
  end, sync('textDocument/inlayHint', params))

  cursor_on('hidden', 4)
  vim.lsp.buf.rename('trunk')
  wait('the rename', function()
    return vim.fn.getline(5):find('trunk', 1, true) ~= nil
  end)
  found.renamed = lines()

  vim.cmd('NndslCode torch')
  local beside
  wait('the program', function()
    for _, other in ipairs(vim.api.nvim_list_bufs()) do
      if vim.api.nvim_buf_get_name(other):find('nndsl://torch', 1, true) then
        beside = other
        return #lines(other) > 10
      end
    end
  end)
  found.code = lines(beside)
  found.code_filetype = vim.bo[beside].filetype
  found.focus = vim.api.nvim_get_current_buf() == buffer

  -- The program follows the text, and stays while the text is broken.
  vim.api.nvim_buf_set_lines(buffer, 3, 4, false, { (vim.fn.getline(4):gsub('Dense%(7', 'Dense(9')) })
  wait('the new program', function()
    return table.concat(lines(beside), '\n'):find('Linear(4, 9)', 1, true) ~= nil
  end)
  local kept = lines(beside)
  vim.api.nvim_buf_set_lines(buffer, 3, 4, false, { (vim.fn.getline(4):gsub('Dense%(9', 'Dens(9')) })
  local namespace = vim.api.nvim_get_namespaces().nndsl
  local marks
  wait('the remark', function()
    marks = vim.api.nvim_buf_get_extmarks(beside, namespace, 0, -1, { details = true })
    return #marks > 0
  end)
  found.remark = marks[1][4].virt_text[1][1]
  found.kept = vim.deep_equal(kept, lines(beside))
  vim.api.nvim_buf_set_lines(buffer, 3, 4, false, { (vim.fn.getline(4):gsub('Dens%(9', 'Dense(9')) })
  wait('no remark', function()
    return #vim.api.nvim_buf_get_extmarks(beside, namespace, 0, -1, {}) == 0
  end)

  nndsl.open = function(path)
    found.graph = table.concat(vim.fn.readfile(path), '\n')
  end
  vim.cmd('NndslGraph')
  wait('the graph', function()
    return found.graph ~= nil
  end)

  found.lenses = vim.tbl_map(function(lens)
    return lens.command.title .. ' ' .. lens.command.command
  end, sync('textDocument/codeLens', { textDocument = vim.lsp.util.make_text_document_params() }))

  vim.api.nvim_buf_set_lines(buffer, 1, 2, false, { '  input   x :float[4]' })
  if vim.lsp.buf.format then
    vim.lsp.buf.format({ timeout_ms = 20000 })
  else
    vim.lsp.buf.formatting_sync(nil, 20000)
  end
  found.formatted = lines()
  found.targets = vim.fn.getcompletion('NndslCode ', 'cmdline')
  found.messages = vim.fn.execute('NndslCode jax') .. vim.fn.execute('messages')
end

local fine, message = xpcall(main, debug.traceback)
if not fine then
  found = { failed = message .. '\n' .. vim.fn.execute('messages') }
end
vim.fn.writefile({ vim.fn.json_encode(found) }, vim.env.NNDSL_PROBE .. '.out')
for _, client in ipairs(vim.lsp.get_active_clients()) do
  client.stop()
end
vim.cmd('qall!')
