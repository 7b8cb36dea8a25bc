#include "classifier.h"
#include "loaded.h"
#include "qcc-c/qcc.h"

#include <stdio.h>

int main(void) {
  qcc_instance *a, *b;
  if (classifier_create(NULL, &a) != QCC_OK || other_create(NULL, &b) != QCC_OK)
    return 1;
  printf("%s: %s, %s\n", qccVersion(), classifier_describe()->inputs[0].name,
         other_describe()->inputs[0].name);
  classifier_destroy(a);
  other_destroy(b);
  return 0;
}
