#compdef porta
# zsh completion for porta; as a file _porta in a directory of fpath, or for this shell:
# source <(porta completion zsh)

_porta_words_or_files()
{
	compadd -- "$@"
	_files
}

_porta_run()
{
	_arguments -S \
@zsh_run@
		'1:command:_command_names -e' \
		'*:argument:_files'
}

_porta_up()
{
	_arguments -S \
@zsh_up@
		'*:argument:_files'
}

_porta_explain()
{
	_arguments -S \
@zsh_explain@
		'1:command:_command_names -e' \
		'*:argument:_files'
}

_porta_serve()
{
	_arguments -S \
@zsh_serve@
		'1:module:_files' \
		'*:argument:_files'
}

_porta()
{
	local -a porta_commands=(
@zsh_commands@
	)

	if ((CURRENT == 2)); then
		_describe command porta_commands
		return
	fi
	# Each command sees its own words alone.
	words=("${(@)words[2,-1]}")
	((CURRENT--))
	case $words[1] in
	run) _porta_run ;;
	up) _porta_up ;;
	explain) _porta_explain ;;
	serve) _porta_serve ;;
@zsh_words@
	esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
	_porta "$@"
else
	compdef _porta porta
fi
