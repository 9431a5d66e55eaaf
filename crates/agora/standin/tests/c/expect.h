/* A test's few words: a fault is told with its place and ends the program. */
#ifndef STANDIN_EXPECT_H
#define STANDIN_EXPECT_H

#include <stdio.h>
#include <stdlib.h>

#include "../../c/system.h"

/* Patience with a slow machine. */
#define PATIENCE_MS 30000

#define EXPECT(condition)                                                           \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                \
        }                                                                           \
    } while (0)

/* Waits until the condition holds. */
#define AWAIT(condition)                                                                    \
    do {                                                                                    \
        int64_t until_ms = now_ms() + PATIENCE_MS;                                          \
        while (!(condition)) {                                                              \
            if (now_ms() > until_ms) {                                                      \
                fprintf(stderr, "%s:%d: never came: %s\n", __FILE__, __LINE__, #condition); \
                exit(1);                                                                    \
            }                                                                               \
            rest_ms(1);                                                                     \
        }                                                                                   \
    } while (0)

#endif
