# bash completion for porta; for this shell: source <(porta completion bash)

# Completes the value $2 of the flag $1.
_porta_value()
{
	local words="" files=""

	case $1 in
@bash_values@
	esac
	[[ -n $words ]] && mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
	[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
	[[ -n $files && ${#COMPREPLY[@]} -eq 0 ]] && compopt -o default
}

# Completes a command: a program in PATH, or a file where a slash says so.
_porta_target()
{
	local directory file
	local -a directories

	if [[ $1 == */* ]]; then
		compopt -o default
		return
	fi
	IFS=: read -ra directories <<< "$PATH"
	for directory in "${directories[@]}"; do
		for file in "$directory/$1"*; do
			[[ -f $file && -x $file ]] && COMPREPLY+=("${file##*/}")
		done
	done
}

_porta_run()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local i flags='' target=''

	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			compopt -o default
			return
			;;
		@flags_with_value@)
			# readline breaks "--flag=value" into three words.
			[[ ${COMP_WORDS[i + 1]-} == = ]] && ((i++))
			((i++))
			;;
		=) ((i++)) ;;
		-*) ;;
		*) target=1 ;;
		esac
	done
	if [[ $cur == = ]]; then
		_porta_value "$prev" ""
	elif [[ $prev == = ]]; then
		_porta_value "${COMP_WORDS[COMP_CWORD - 2]}" "$cur"
	elif [[ $cur == -* ]]; then
		case ${COMP_WORDS[1]} in
@bash_flags@
		esac
		mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
	else
		case $prev in
		@flags_with_value@) _porta_value "$prev" "$cur" ;;
		*)
			if [[ -z $target && ${COMP_WORDS[1]} == serve ]]; then
				compopt -o default
			elif [[ -z $target && ${COMP_WORDS[1]} != up ]]; then
				_porta_target "$cur"
			fi
			;;
		esac
	fi
}

_porta()
{
	local words='' files='' cur=${COMP_WORDS[COMP_CWORD]}

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		words='@commands@ --help --version'
	else
		case ${COMP_WORDS[1]} in
		run | up | explain | serve) _porta_run ;;
@bash_commands@
		esac
	fi
	[[ -n $words ]] && mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	if [[ -n $files ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -F _porta porta
