//! Tells Zed how the language server of nndsl is started.

use zed_extension_api::{self as zed, Command, LanguageServerId, Result, Worktree};

struct Nndsl;

impl zed::Extension for Nndsl {
    fn new() -> Self {
        Nndsl
    }

    fn language_server_command(
        &mut self,
        _: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Command> {
        let program = worktree
            .which("nndsl")
            .ok_or("there is no program `nndsl` on the PATH: pip install 'nndsl[lsp]'")?;
        Ok(Command {
            command: program,
            args: vec!["lsp".to_string()],
            env: worktree.shell_env(),
        })
    }
}

zed::register_extension!(Nndsl);
