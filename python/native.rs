//! Links the library, which exports the module (`src/python/`).

use rstack as _;
