/* Verifies an AccessToken2 ("007") as Agora's servers would for joining a channel. */
#ifndef STANDIN_TOKEN_H
#define STANDIN_TOKEN_H

#include <stdint.h>

enum token_verdict { TOKEN_OK, TOKEN_INVALID, TOKEN_EXPIRED };

struct token_claim {
    const char *app_id;
    const char *certificate;
    const char *channel;
    const char *uid;  /* as given to connect; "" or "0" when the server is to choose */
    int64_t now;      /* seconds since 1970 */
};

/* For TOKEN_OK `*seconds_left` is the time until the token or its privilege to join ends, whichever is first. */
enum token_verdict token_verify(const char *token, const struct token_claim *claim, int64_t *seconds_left);

/* What a "007" token holds after unpacking: its length, at most `size`; -1 when it is none. */
int token_unpack(const char *token, unsigned char *into, int size);

#endif
