// Nest 12 under Jest's module loader resolves its own cycle only when common is evaluated before core.
import '@nestjs/common';
import '@nestjs/core';
