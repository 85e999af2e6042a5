# The cluster edition: one image for silos, gateways and the command line. docker-compose.yml shows it at work.
ARG ORLEANS_VERSION=10.0.0

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG ORLEANS_VERSION
WORKDIR /source
COPY .editorconfig Directory.Build.props Directory.Packages.props ./
COPY sql sql
COPY src src
RUN dotnet publish src/Silo -c Release -o /app -p:Cluster=true -p:OrleansVersion=$ORLEANS_VERSION

FROM mcr.microsoft.com/dotnet/aspnet:10.0
ARG ORLEANS_VERSION
# Orleans' own tables are scripts of its release; `migrate` runs them once.
ARG ORLEANS_SQL=https://raw.githubusercontent.com/dotnet/orleans/v$ORLEANS_VERSION/src/AdoNet
ADD --chmod=644 $ORLEANS_SQL/Shared/PostgreSQL-Main.sql /orleans/
ADD --chmod=644 $ORLEANS_SQL/Orleans.Clustering.AdoNet/PostgreSQL-Clustering.sql /orleans/
ADD --chmod=644 $ORLEANS_SQL/Orleans.Persistence.AdoNet/PostgreSQL-Persistence.sql /orleans/
ADD --chmod=644 $ORLEANS_SQL/Orleans.Reminders.AdoNet/PostgreSQL-Reminders.sql /orleans/
COPY --from=build /app /app
ENV PERSONA__URL=http://0.0.0.0:8000 PERSONA__CLUSTER__ORLEANSSQL=/orleans
EXPOSE 8000
USER $APP_UID
ENTRYPOINT ["dotnet", "/app/personactors.dll"]
CMD ["serve"]
