/* The limit of the protocol: answers each line with the first rule whose text the line holds, and does nothing else.
 *
 *     constant RULES [SOCKET]
 *
 * RULES is a file of rules, each a line "TEXT<TAB>LENGTH" with the answer, of so many octets, right after it. An empty
 * TEXT fits every line. With SOCKET it serves that unix socket, a process for each connection, instead of its stdin. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MOST_RULES 64
#define LONGEST_REQUEST 65536

struct rule { char text[512]; char *answer; size_t length; };

static struct rule rules[MOST_RULES];
static int rule_count;

static void stop(const char *why)
{
	perror(why);
	exit(2);
}

static void read_rules(const char *path)
{
	char line[512];
	FILE *file = fopen(path, "r");
	if (!file)
		stop(path);
	while (rule_count < MOST_RULES && fgets(line, sizeof line, file)) {
		struct rule *rule = &rules[rule_count++];
		char *tab = strrchr(line, '\t');
		if (!tab)
			stop("a rule without length");
		*tab = 0;
		strcpy(rule->text, line);
		rule->length = strtoul(tab + 1, NULL, 10);
		rule->answer = malloc(rule->length + 1);
		if (fread(rule->answer, 1, rule->length, file) != rule->length)
			stop("a rule with a short answer");
	}
	fclose(file);
}

static void answer(int sink, const char *line)
{
	for (int i = 0; i < rule_count; i++)
		if (strstr(line, rules[i].text)) {
			if (write(sink, rules[i].answer, rules[i].length) < 0)
				exit(0);
			return;
		}
}

static void serve(int source, int sink)
{
	static char buffer[LONGEST_REQUEST + 1];
	size_t held = 0;
	ssize_t got;
	while ((got = read(source, buffer + held, LONGEST_REQUEST - held)) > 0) {
		char *start = buffer, *end;
		held += got;
		while ((end = memchr(start, '\n', buffer + held - start))) {
			*end = 0;
			answer(sink, start);
			start = end + 1;
		}
		held -= start - buffer;
		memmove(buffer, start, held);
	}
}

static void listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), connection;
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64))
		stop(path);
	signal(SIGCHLD, SIG_IGN);
	while ((connection = accept(listener, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			serve(connection, connection);
			exit(0);
		}
		close(connection);
	}
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	for (int leaked = 3; leaked < 1024; leaked++) /* the pipes of siblings, which PowerDNS forgets to close */
		close(leaked);
	read_rules(argv[1]);
	if (argc > 2)
		listen_at(argv[2]);
	else
		serve(0, 1);
	return 0;
}
