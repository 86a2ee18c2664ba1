/* The words of the policy and the tables of well-known paths; see policy.h. */
#include "policy/policy.h"
#include "util/macros.h"

static const char *const net_mode_names[] = {
	[NET_MODE_FULL] = "full",
	[NET_MODE_OUTBOUND] = "outbound",
	[NET_MODE_LOOPBACK_ONLY] = "loopback_only",
	[NET_MODE_BLOCKED] = "blocked",
	[NET_MODE_RULES] = "rules",
};
static_assert(ARRAY_SIZE(net_mode_names) == NET_MODE_COUNT, "a name for each network mode");

static const char *const read_mode_names[] = {
	[READ_MODE_OPEN] = "open",
	[READ_MODE_HOME_HIDDEN] = "home-hidden",
	[READ_MODE_LISTED] = "listed",
};
static_assert(ARRAY_SIZE(read_mode_names) == READ_MODE_COUNT, "a name for each read mode");

static const struct {
	const char *name;
	const char *description;
} guarantees[] = {
	[GUARANTEE_WRITES] = { "writes",
			       "Files change only in the directories that -v names, and /tmp." },
	[GUARANTEE_METADATA] = { "metadata",
				 "Modes, owners, times and attributes of files elsewhere "
				 "do not change either." },
	[GUARANTEE_HIDDEN] = { "hidden",
			       "~/.ssh, ~/.gnupg and what --deny-read names cannot be read." },
	[GUARANTEE_PROTECTED] = { "protected",
				  "Files that make other programs run code, such as git "
				  "hooks, do not change." },
	[GUARANTEE_NETWORK] = { "network",
				"Connections go only where the network policy lets them." },
	[GUARANTEE_UNIX_SOCKETS] = { "unix-sockets",
				     "Services on this machine (docker, ssh-agent, the "
				     "session bus) cannot be reached." },
	[GUARANTEE_PROCESSES] = { "processes",
				  "Processes outside cannot be seen, signalled or traced." },
	[GUARANTEE_TREE] = { "tree", "When porta ends, everything that it started ends." },
	[GUARANTEE_DEVICES] = { "devices", "Only harmless devices can be opened." },
	[GUARANTEE_EXEC] = { "exec", "Only the programs that --allow-exec names can be started." },
	[GUARANTEE_LIMITS] = { "limits",
			       "Memory, tasks and CPU time of the whole tree stay below the "
			       "limits." },
};
static_assert(ARRAY_SIZE(guarantees) == GUARANTEE_COUNT, "words for each guarantee");

static const char *const limit_names[] = {
	[LIMIT_CPU_SECONDS] = "cpu",
	[LIMIT_FILE_BYTES] = "fsize",
	[LIMIT_OPEN_FILES] = "nofile",
	[LIMIT_PROCESSES] = "nproc",
	[LIMIT_ADDRESS_BYTES] = "as",
	[LIMIT_DATA_BYTES] = "data",
	[LIMIT_STACK_BYTES] = "stack",
	[LIMIT_CORE_BYTES] = "core",
	[LIMIT_MEMLOCK_BYTES] = "memlock",
	[LIMIT_MEMORY_BYTES] = "memory",
	[LIMIT_TASKS] = "pids",
	[LIMIT_CPU_MILLI] = "cpus",
};
static_assert(ARRAY_SIZE(limit_names) == LIMIT_KIND_COUNT, "a name for each limit");

const char *const policy_protected_names[] = {
	/* git runs what these name */
	".git/hooks",
	".git/config",
	".git/config.worktree",
	".git/commondir",
	".git/modules/*/config",
	".git/modules/*/hooks",
	/* agents and editors start what these name */
	".mcp.json",
	".claude",
	".cursor",
	".vscode",
	".idea",
	".devcontainer",
	".devcontainer.json",
	/* shells and direnv run these */
	".envrc",
	".profile",
	".bashrc",
	".bash_profile",
	".bash_login",
	".bash_logout",
	".bash_aliases",
	".zshrc",
	".zshenv",
	".zprofile",
	".zlogin",
	".zlogout",
	".kshrc",
	".mkshrc",
	".cshrc",
	".tcshrc",
	".login",
	".logout",
	".config/fish/config.fish",
	".config/fish/conf.d",
	".config/fish/functions",
	/* programs that a person starts read these, and run what they say */
	".gitconfig",
	".config/git/config",
	".config/autostart",
	".config/systemd/user",
	".config/environment.d",
	".local/share/systemd/user",
	".xprofile",
	".xinitrc",
	".xsession",
	".xsessionrc",
	".pam_environment",
	/* porta's own: the next `porta up` would do what it says */
	"porta.toml",
	/* where absent in a writable home: what appears there would be believed */
	".ssh",
	".gnupg",
	NULL,
};

const char *const policy_credential_paths[] = {
	/* clouds and clusters */
	".aws",
	".azure",
	".boto",
	".config/gcloud",
	".config/doctl",
	".config/hcloud",
	".config/scw",
	".config/rclone",
	".config/openstack",
	".config/flyctl",
	".fly",
	".kube",
	".oci",
	".bluemix",
	".aliyun",
	".s3cfg",
	".docker/config.json",
	".config/containers/auth.json",
	".config/helm/registry",
	".config/heroku",
	".config/netlify",
	".local/share/com.vercel.cli",
	".terraform.d/credentials.tfrc.json",
	".terraformrc",
	".pulumi/credentials.json",
	".vault-token",
	".databrickscfg",
	".snowflake",
	/* package registries */
	".npmrc",
	".yarnrc",
	".yarnrc.yml",
	".config/pip/pip.conf",
	".pip/pip.conf",
	".pypirc",
	".config/pypoetry/auth.toml",
	".cargo/credentials",
	".cargo/credentials.toml",
	".m2/settings.xml",
	".m2/settings-security.xml",
	".gradle/gradle.properties",
	".gem/credentials",
	".local/share/gem/credentials",
	".bundle/config",
	".composer/auth.json",
	".config/composer/auth.json",
	".nuget/NuGet/NuGet.Config",
	".hex",
	".condarc",
	".cache/huggingface/token",
	".kaggle",
	/* git hosts and logins */
	".git-credentials",
	".config/git/credentials",
	".config/gh",
	".config/glab-cli",
	".config/hub",
	".netrc",
	".authinfo",
	".authinfo.gpg",
	".pgpass",
	".my.cnf",
	".mylogin.cnf",
	".rediscli_auth",
	/* browsers and mail */
	".mozilla",
	".config/mozilla",
	".thunderbird",
	".config/google-chrome",
	".config/google-chrome-beta",
	".config/chromium",
	".config/BraveSoftware",
	".config/microsoft-edge",
	".config/vivaldi",
	".config/opera",
	"snap/firefox",
	"snap/chromium",
	".var/app/org.mozilla.firefox",
	".var/app/com.google.Chrome",
	/* shell and client histories */
	".bash_history",
	".zsh_history",
	".zhistory",
	".histfile",
	".sh_history",
	".local/share/fish/fish_history",
	".python_history",
	".node_repl_history",
	".psql_history",
	".mysql_history",
	".sqlite_history",
	".rediscli_history",
	".lesshst",
	".viminfo",
	/* password stores and keys */
	".password-store",
	".local/share/keyrings",
	".local/share/kwalletd",
	".config/op",
	".config/1Password",
	".config/Bitwarden",
	".config/Bitwarden CLI",
	".config/keepassxc",
	".config/age",
	".config/sops",
	".config/rbw",
	".pki",
	".putty",
	NULL,
};

const char *const policy_toolchain_paths[] = {
	".local/bin",
	".local/lib",
	".local/share/pnpm",
	".local/share/uv",
	".local/share/virtualenvs",
	".local/share/mise",
	".local/share/fnm",
	".local/pipx",
	".cargo/bin",
	".cargo/env",
	".cargo/config.toml",
	".cargo/registry",
	".cargo/git",
	".rustup",
	".nvm",
	".volta",
	".bun",
	".deno",
	".npm-global",
	".pyenv",
	".rbenv",
	".rvm",
	".gem/ruby",
	".asdf",
	".sdkman",
	".ghcup",
	".cabal/bin",
	".opam",
	".elan",
	".juliaup",
	".julia",
	".nix-profile",
	".local/state/nix",
	".linuxbrew",
	".conda",
	"miniconda3",
	"miniforge3",
	"anaconda3",
	"go",
	".go",
	"bin",
	NULL,
};

const char *
net_mode_name(enum net_mode mode)
{
	assert(mode < NET_MODE_COUNT);
	return net_mode_names[mode];
}

const char *
read_mode_name(enum read_mode mode)
{
	assert(mode < READ_MODE_COUNT);
	return read_mode_names[mode];
}

const char *
guarantee_name(enum guarantee guarantee)
{
	assert(guarantee < GUARANTEE_COUNT);
	return guarantees[guarantee].name;
}

const char *
guarantee_description(enum guarantee guarantee)
{
	assert(guarantee < GUARANTEE_COUNT);
	return guarantees[guarantee].description;
}

const char *
limit_name(enum limit_kind kind)
{
	assert(kind < LIMIT_KIND_COUNT);
	return limit_names[kind];
}
