"use strict";

// Calls go to wherever this page came from, which may be another name of the server than its public one.
const here = new URL(".", document.location.href);

async function show() {
  const answer = await fetch(new URL("openapi.json", here));
  if (!answer.ok) {
    throw new Error(`the server answered ${answer.status}`);
  }
  const spec = await answer.json();
  spec.servers = [{ url: here.href.replace(/\/$/, "") }];
  document.title = `${spec.info.title} API`;
  window.SwaggerUIBundle({
    spec,
    dom_id: "#docs",
    deepLinking: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    // The validator is somebody else's server.
    validatorUrl: null,
  });
}

show().catch((error) => {
  const failure = document.getElementById("failure");
  failure.textContent = `The document cannot be shown: ${error.message}`;
  failure.hidden = false;
});
