/* What every part needs from the system: time, threads that are counted, strings that can't overflow. */
#ifndef STANDIN_SYSTEM_H
#define STANDIN_SYSTEM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds of a clock that is never set back; the same clock in all processes of the machine. */
int64_t now_ms(void);

/* Microseconds of the same clock. */
int64_t now_us(void);

/* Waits for the condition at most `ms` milliseconds; the mutex is held before and after. */
void wait_ms(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t ms);

/* A condition that measures its waits by the clock of now_ms. */
void make_condition(pthread_cond_t *condition);

/* Sleeps. */
void rest_ms(int64_t ms);

/* Starts a thread with a name of at most 15 letters. It counts as `threads` while it runs. False when there is none to be had. */
bool start_thread(pthread_t *thread, const char *name, void *(*body)(void *), void *context);

/* Copies at most size - 1 bytes and always ends with a zero. NULL counts as empty. */
void copy_text(char *into, size_t size, const char *from);

/* Allocates zeroed memory or ends the process: the stand-in doesn't imitate a lack of memory. */
void *make(size_t size);

/* Fills with 0xDD, then frees: who kept the pointer reads nonsense, and the address sanitizer says so. */
void poison(void *memory, size_t size);

/* True for a text that is well-formed UTF-8. */
bool is_utf8(const char *text);

/* True when all bytes can be read without a fault. */
bool is_readable(const void *memory, size_t size);

#endif
