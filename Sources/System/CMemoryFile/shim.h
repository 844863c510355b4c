#pragma once

// Declared here because <sys/mman.h> shows it to programs that ask for GNU's extensions only. memfd_create(2).
int memfd_create(const char *name, unsigned int flags);

enum { memory_file_close_on_exec = 1 };
