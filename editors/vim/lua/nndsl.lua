-- The language server of nndsl in Neovim.
--
--   require('nndsl').setup()                     0.7 and later
--   vim.lsp.enable('nndsl')                      0.11 and later, the same without options
--
-- :NndslCode torch|keras [MODEL] shows the generated program beside the source, :NndslGraph [MODEL] the graph of the
-- model. Both follow the text: they are asked for anew after each check of the server.

local M = {}

local COMMANDS = { 'nndsl.run', 'nndsl.showCode', 'nndsl.showGraph' }
local NAMESPACE = vim.api.nvim_create_namespace('nndsl')

-- What is shown, by the address of its source: a list of { kind, target, model, buffer } or { kind, model, path }.
local views = {}

local options = { cmd = { 'nndsl', 'lsp' }, inlay_hints = true }

-- ------------------------------------------------------------------------------------------------ clients

local function clients_of(buffer)
  if vim.lsp.get_clients then
    return vim.lsp.get_clients({ bufnr = buffer, name = 'nndsl' })
  end
  local found = {}
  for _, client in pairs(vim.lsp.buf_get_clients(buffer)) do
    if client.name == 'nndsl' then
      table.insert(found, client)
    end
  end
  return found
end

local function request(client, method, params, handler, buffer)
  if vim.fn.has('nvim-0.11') == 1 then
    return client:request(method, params, handler, buffer)
  end
  return client.request(method, params, handler, buffer)
end

local function complain(text)
  vim.notify('nndsl: ' .. text, vim.log.levels.WARN)
end

-- Asks the server about the file at `uri`; `show` gets the answer.
local function ask(uri, method, params, show)
  local buffer = vim.uri_to_bufnr(uri)
  local client = clients_of(buffer)[1]
  if not client then
    return complain('no language server is attached to this buffer (:help nndsl-lsp)')
  end
  params.uri = uri
  request(client, method, params, function(err, answer)
    if err then
      return complain(err.message or tostring(err))
    end
    show(answer or {})
  end, buffer)
end

-- vim.NIL stands for null in what the server sends.
local function given(value)
  return value ~= nil and value ~= vim.NIL and value or nil
end

-- --------------------------------------------------------------------------------------------------- views

local function draw_code(view, answer)
  if not vim.api.nvim_buf_is_valid(view.buffer) then
    return
  end
  vim.api.nvim_buf_clear_namespace(view.buffer, NAMESPACE, 0, -1)
  local text, problem = given(answer.text), given(answer.problem)
  if text then
    local lines = vim.split(text:gsub('\n$', ''), '\n', { plain = true })
    vim.bo[view.buffer].modifiable = true
    vim.api.nvim_buf_set_lines(view.buffer, 0, -1, false, lines)
    vim.bo[view.buffer].modifiable = false
  else
    -- The last program that there was stays; its first line says that it is an older one.
    local remark = 'not up to date: ' .. (problem or 'there is no program')
    vim.api.nvim_buf_set_extmark(view.buffer, NAMESPACE, 0, 0, { virt_text = { { remark, 'WarningMsg' } } })
  end
end

local function draw_graph(view, answer)
  local svg, problem = given(answer.svg), given(answer.problem)
  if not svg then
    if not view.opened then
      complain(problem or 'there is no graph')
    end
    return
  end
  vim.fn.writefile(vim.split(svg, '\n', { plain = true }), view.path)
  if not view.opened then
    view.opened = true
    M.open(view.path)
  end
end

local function refresh(uri, view)
  if view.kind == 'code' then
    ask(uri, 'nndsl/code', { target = view.target, model = view.model or vim.NIL }, function(answer)
      draw_code(view, answer)
    end)
  else
    ask(uri, 'nndsl/graph', { model = view.model or vim.NIL }, function(answer)
      draw_graph(view, answer)
    end)
  end
end

-- Handler of the server's notification `nndsl/checked`.
local function on_checked(_, params)
  for _, view in ipairs(views[params.uri] or {}) do
    if view.kind ~= 'code' or vim.api.nvim_buf_is_valid(view.buffer) then
      refresh(params.uri, view)
    end
  end
end

-- The view of that kind of the file; `make` gives a new one where there is none yet.
local function view_of(uri, kind, target, model, make)
  views[uri] = vim.tbl_filter(function(view)
    return view.kind ~= 'code' or vim.api.nvim_buf_is_valid(view.buffer)
  end, views[uri] or {})
  for _, view in ipairs(views[uri]) do
    if view.kind == kind and view.target == target then
      view.model = model
      return view
    end
  end
  local view = make()
  view.kind, view.target, view.model = kind, target, model
  table.insert(views[uri], view)
  return view
end

-- Shows a file with the program of the system for it. A field, so that it can be replaced.
function M.open(path)
  if vim.ui.open then
    vim.ui.open(path)
    return
  end
  local program = vim.fn.has('mac') == 1 and { 'open' }
    or vim.fn.has('win32') == 1 and { 'cmd.exe', '/c', 'start', '' }
    or { 'xdg-open' }
  if vim.fn.executable(program[1]) == 0 then
    return vim.notify('nndsl: the graph is in ' .. path)
  end
  vim.fn.jobstart(vim.list_extend(program, { path }), { detach = true })
end

-- Shows the program of a file for "torch" or "keras" in a window beside it.
function M.show_code(uri, target, model)
  local view = view_of(uri, 'code', target, model, function()
    local buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, ('nndsl://%s/%s'):format(target, vim.uri_to_fname(uri)))
    vim.bo[buffer].filetype = 'python'
    vim.bo[buffer].bufhidden = 'wipe'
    return { buffer = buffer }
  end)
  if vim.fn.bufwinid(view.buffer) == -1 then
    local window = vim.api.nvim_get_current_win()
    vim.cmd('rightbelow vsplit')
    vim.api.nvim_win_set_buf(0, view.buffer)
    vim.api.nvim_set_current_win(window)
  end
  refresh(uri, view)
end

-- Writes the graph of a file's model as a picture and opens it; the picture follows the text from then on.
function M.show_graph(uri, model)
  local view = view_of(uri, 'graph', nil, model, function()
    return { path = vim.fn.tempname() .. '.svg' }
  end)
  view.opened = false
  refresh(uri, view)
end

-- Trains the model of a file in a terminal.
function M.run(uri, model)
  local command = { options.cmd[1], 'run', vim.uri_to_fname(uri) }
  if #options.cmd > 2 then -- `python -m nndsl lsp`
    command = vim.list_extend(vim.list_slice(options.cmd, 1, #options.cmd - 1), { 'run', vim.uri_to_fname(uri) })
  end
  if model then
    vim.list_extend(command, { '--model', model })
  end
  vim.cmd('botright new')
  vim.fn.termopen(command)
end

-- --------------------------------------------------------------------------------------------------- setup

local function target_names()
  return { 'torch', 'keras' }
end

local function on_attach(client, buffer)
  local function command(name, run, extra)
    vim.api.nvim_buf_create_user_command(buffer, name, run, extra)
  end
  command('NndslCode', function(given_)
    local target = given_.fargs[1] or 'torch'
    if not vim.tbl_contains(target_names(), target) then
      return complain(('no target `%s`: the targets are torch and keras'):format(target))
    end
    M.show_code(vim.uri_from_bufnr(buffer), target, given_.fargs[2])
  end, { nargs = '*', complete = target_names, desc = 'Show the generated program' })
  command('NndslGraph', function(given_)
    M.show_graph(vim.uri_from_bufnr(buffer), given_.fargs[1])
  end, { nargs = '*', desc = 'Show the graph of the model' })
  if vim.fn.has('nvim-0.8') == 0 then
    vim.bo[buffer].omnifunc = 'v:lua.vim.lsp.omnifunc'
  end
  if options.inlay_hints and vim.lsp.inlay_hint then
    if vim.fn.has('nvim-0.11') == 1 or type(vim.lsp.inlay_hint) == 'table' then
      vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
    end
  end
  if options.on_attach then
    options.on_attach(client, buffer)
  end
end

-- The commands of code lenses: their arguments are the address of the file and the name of the model.
local function lens(show)
  return function(command)
    show(unpack(command.arguments or {}))
  end
end

-- The configuration of the client, in the form of `vim.lsp.config` and `vim.lsp.start`.
function M.config()
  return {
    name = 'nndsl',
    cmd = options.cmd,
    filetypes = { 'nndsl' },
    root_markers = { 'nndsl.toml', 'pyproject.toml', '.git' },
    init_options = { commands = COMMANDS },
    handlers = { ['nndsl/checked'] = on_checked },
    commands = {
      ['nndsl.showCode'] = lens(function(uri, model)
        M.show_code(uri, 'torch', model)
      end),
      ['nndsl.showGraph'] = lens(M.show_graph),
      ['nndsl.run'] = lens(M.run),
    },
    on_attach = on_attach,
  }
end

local function root_of(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  local folder = vim.fn.fnamemodify(name ~= '' and name or vim.fn.getcwd() .. '/x', ':p:h')
  local place = folder
  while true do
    for _, marker in ipairs({ 'nndsl.toml', 'pyproject.toml', '.git' }) do
      if vim.loop.fs_stat(place .. '/' .. marker) then
        return place
      end
    end
    local above = vim.fn.fnamemodify(place, ':h')
    if above == place then
      return folder
    end
    place = above
  end
end

-- Clients of Neovim 0.7, by root.
local started = {}

local function start(buffer)
  local config = M.config()
  config.filetypes, config.root_markers = nil, nil
  config.root_dir = root_of(buffer)
  if vim.lsp.start then
    return vim.lsp.start(config, { bufnr = buffer })
  end
  local id = started[config.root_dir]
  if not id or vim.lsp.client_is_stopped(id) then
    id = vim.lsp.start_client(config)
    started[config.root_dir] = id
  end
  if id then
    vim.lsp.buf_attach_client(buffer, id)
  end
end

-- Starts the server for every .nn file. Options: `cmd` (default { 'nndsl', 'lsp' }), `inlay_hints` (default true),
-- `on_attach(client, buffer)`.
function M.setup(given_)
  options = vim.tbl_extend('force', options, given_ or {})
  if vim.lsp.config and vim.lsp.enable then
    vim.lsp.config('nndsl', M.config())
    vim.lsp.enable('nndsl')
    return
  end
  local group = vim.api.nvim_create_augroup('nndsl', {})
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = 'nndsl',
    callback = function(event)
      start(event.buf)
    end,
  })
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.bo[buffer].filetype == 'nndsl' then
      start(buffer)
    end
  end
end

return M
