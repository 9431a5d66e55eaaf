/* One of the libraries that Agora's needs beside it. NAME is the only function in it. */
#include "knobs.h"

PUBLIC int NAME(void);

int NAME(void) {
    return 1;
}
