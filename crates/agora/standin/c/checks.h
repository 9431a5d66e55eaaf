/* What a caller gives us is looked at before it is used. Each answers false after a complaint in the name of `caller`. */
#ifndef STANDIN_CHECKS_H
#define STANDIN_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

/* Memory that can be read. */
bool check_memory(const void *memory, size_t size, const char *what, const char *caller);
/* A structure: at a multiple of `alignment`, readable. */
bool check_structure(const void *structure, size_t size, size_t alignment, const char *what, const char *caller);
/* A text in UTF-8 of at most `longest` bytes. */
bool check_text(const char *text, size_t longest, const char *what, const char *caller);
/* A number between two others. */
bool check_range(long long value, long long lowest, long long highest, const char *what, const char *caller);

/* The rules of names, without complaints: they are the user's faults, not the program's. */
bool is_app_id(const char *text);
bool is_channel_name(const char *text);
/* Decimal digits of a 32-bit number. */
bool is_numeric_uid(const char *text);
/* A user account: 1 to 255 bytes of the letters that channel names have. */
bool is_account(const char *text);

#endif
