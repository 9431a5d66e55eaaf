/* Steps in the course of a connection; all run on its event thread, without locks held. */
#ifndef STANDIN_COURSE_H
#define STANDIN_COURSE_H

#include "connection.h"

int course_check_token(struct connection *connection);

void course_joined(struct connection *connection, const char *uid, bool is_readable);
void course_left(struct connection *connection, const char *uid, int end);
void course_state(struct connection *connection, const char *uid, uint32_t state);
void course_subscription(struct connection *connection, const char *uid);
/* `rotation` with bit 16 for the first picture. */
void course_picture(struct connection *connection, const char *uid, int width, int height, int rotation);
void course_sound(struct connection *connection, const char *uid);

void course_publish(struct connection *connection);
void course_published(struct connection *connection, bool is_video);

/* Reports that come by the clock. */
void course_report(struct connection *connection, int64_t now);

#endif
