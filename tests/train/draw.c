/* draw.c: pictures to train on, drawn: `draw N FIRST` writes N of them, beginning with number
 * FIRST, to standard output as CIFAR-10's binary files have them.
 *
 * The class, 0 to 9, is the number's last digit; it decides where a bright square is and which
 * colour it has, on a background of noise that depends on the number. */
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 32, CLASSES = 10 };

static unsigned noise(unsigned x)
{
    x = (x ^ 61) ^ x >> 16;
    x *= 9;
    x = (x ^ x >> 4) * 0x27d4eb2d;
    return x ^ x >> 15;
}

static unsigned char pixel(unsigned number, int c, int y, int x)
{
    const int class_ = (int)(number % CLASSES);
    const int top = 4 + 14 * (class_ % 2), left = 2 + 6 * (class_ / 2);
    const unsigned grain =
        noise(number * 3072 + (unsigned)(c * SIDE * SIDE + y * SIDE + x)) % 90 + 40;
    const int inside = y >= top && y < top + 10 && x >= left && x < left + 6;
    return (unsigned char)(grain + (inside && c == class_ % 3 ? 100 : 0));
}

int main(int argc, char **argv)
{
    const unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    const unsigned first = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
    for (unsigned i = first; i < first + n; i++) {
        putchar((int)(i % CLASSES));
        for (int c = 0; c < 3; c++) {
            for (int y = 0; y < SIDE; y++) {
                for (int x = 0; x < SIDE; x++)
                    putchar(pixel(i, c, y, x));
            }
        }
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
