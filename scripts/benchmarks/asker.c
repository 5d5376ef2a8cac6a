/* Asks one question after the other and tells how long all of them took.
 *
 *     asker QUESTIONS FIRST COUNT TERMINATOR <ANSWERS >REQUESTS
 *
 * QUESTIONS is a file with a request in each line. An answer has come when the octets read end in TERMINATOR ("END" or
 * "") and a line end, at the begin of a line if it is not empty. Prints nanoseconds and octets of answers on stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_ANSWER 1000000

static int is_whole(const char *answer, size_t length, const char *terminator, size_t size)
{
	if (length < size + 1 || answer[length - 1] != '\n' || memcmp(answer + length - 1 - size, terminator, size))
		return 0;
	return size == 0 || length == size + 1 || answer[length - size - 2] == '\n';
}

int main(int argc, char **argv)
{
	static char answer[LONGEST_ANSWER];
	if (argc < 5)
		return 2;
	FILE *file = fopen(argv[1], "r");
	long first = atol(argv[2]), count = atol(argv[3]), octets = 0;
	char **requests = calloc(count, sizeof *requests);
	size_t *lengths = calloc(count, sizeof *lengths), size = strlen(argv[4]), room;
	if (!file)
		return 2;
	for (long i = 0; i < first + count; i++) {
		char *line = NULL;
		room = 0;
		ssize_t length = getline(&line, &room, file);
		if (length <= 0)
			return 3;
		if (i < first) {
			free(line);
			continue;
		}
		requests[i - first] = line;
		lengths[i - first] = length;
	}
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (long i = 0; i < count; i++) {
		size_t held = 0;
		if (write(1, requests[i], lengths[i]) != (ssize_t)lengths[i])
			return 4;
		do {
			ssize_t got = read(0, answer + held, sizeof answer - held);
			if (got <= 0)
				return 5;
			held += got;
		} while (!is_whole(answer, held, argv[4], size));
		octets += held;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	long long spent = (end.tv_sec - begin.tv_sec) * 1000000000LL + (end.tv_nsec - begin.tv_nsec);
	fprintf(stderr, "%lld %ld\n", spent, octets);
	return 0;
}
