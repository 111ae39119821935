// Enhancements of the workbench; every page works without them.
// Requests that change something carry the token of the page's own form.
document.body.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('input[name="csrf_token"]');
  if (token) event.detail.headers["X-CSRF-Token"] = token.value;
});
