/* heed.c: `heed PROGRAM ARGUMENT...` runs a program that ignores no signal as it begins: what a
 * shell runs in the background, as it may run a suite, ignores SIGINT and SIGQUIT. */
#include <signal.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    for (int i = 0; i < 4; i++)
        signal(signals[i], SIG_DFL);
    if (argc > 1)
        execvp(argv[1], argv + 1);
    return 127;
}
