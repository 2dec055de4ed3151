FLASK_APP=webapp.wsgi
