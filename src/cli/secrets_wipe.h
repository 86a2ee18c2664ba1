/* Secrets on porta's own command line, which every user of the machine can read in `ps`. */
#ifndef PORTA_CLI_SECRETS_WIPE_H
#define PORTA_CLI_SECRETS_WIPE_H

/*
 * Overwrites the values of --secret and --env in the process's argument area. argv
 * points to copies of those arguments afterwards, which live until the process ends. What
 * comes behind "--" is the command's own and stays: the command shows it anyway.
 */
void secrets_wipe(int argc, char **argv);

#endif
