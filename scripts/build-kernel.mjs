// Compiles the LSTM training kernel (AssemblyScript) to WebAssembly; run by `npm ci` through "prepare".
