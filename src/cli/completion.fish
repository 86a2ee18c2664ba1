# fish completion for porta; for this shell: porta completion fish | source

# Whether the command line of one of these commands has no target yet.
function __porta_needs_target
    set -l words (commandline -opc)
    set -l skip 0
    contains -- "$words[2]" $argv; or return 1
    for word in $words[3..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case @fish_flags_with_value@
                set skip 1
            case '-*'
            case '*'
                return 1
        end
    end
    test $skip = 0
end

complete -c porta -f
complete -c porta -n 'contains -- -- (commandline -opc)' -F
complete -c porta -n __fish_use_subcommand -l help -s h -d 'show the list of commands'
complete -c porta -n __fish_use_subcommand -l version -d 'show the version of porta'
@fish_commands@
complete -c porta -n '__porta_needs_target run explain' -a '(__fish_complete_command)'
complete -c porta -n '__porta_needs_target serve' -F
@fish_flags@
