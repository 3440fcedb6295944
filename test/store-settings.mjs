// Loaded before the service: its store's settings, which no environment variable names, for cells that are used among few items.
const { defaultSettings } = await import('../dist/store/embedded/settings.js');
Object.assign(defaultSettings, JSON.parse(process.env.STORE_SETTINGS));
